# Interpreter and C library are what the labels say they are. The former's bytecode goes by content, as times of files are
# changed on the way into the image. What tells one build from another is removed.
set -eu
found="$("${PYTHON}" -c 'import platform; print(platform.python_version())')"
if [ "${found}" != "${PYTHON_VERSION:-${found}}" ]; then
  echo "this root brings Python ${found}, the catalogue says ${PYTHON_VERSION}" >&2
  exit 1
fi
found="$("${PYTHON}" -c 'import os; print(os.confstr("CS_GNU_LIBC_VERSION").split()[1])')"
if [ "${found}" != "${GLIBC:-${found}}" ]; then
  echo "this root brings glibc ${found}, the catalogue says ${GLIBC}" >&2
  exit 1
fi
library="$("${PYTHON}" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
PYTHONHASHSEED=0 "${PYTHON}" -m compileall -q -f -j 1 --invalidation-mode unchecked-hash "${library}"
find /usr/lib/python3 /usr/share/python3 -name __pycache__ -prune -exec rm -r {} + 2>/dev/null || :

getent passwd 1000 > /dev/null \
  || useradd --uid 1000 --user-group --no-create-home --home-dir /home/user --shell /bin/sh user
install -d -m 1777 /home/user

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache \
  /var/cache/debconf/*-old /var/lib/dpkg/*-old /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- \
  /etc/subuid- /etc/subgid- /var/log/* /tmp/* /root/.cache
