# gcc, and the headers of the C library and of Python, where that is the distribution's own.
set -eu
headers=""
case "${PYTHON:-/usr/bin/}" in /usr/bin/*) headers=libpython3-dev ;; esac
apt-get update
apt-get install --yes --no-install-recommends g++ gcc libc6-dev ${headers}
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache \
  /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/* /tmp/*
