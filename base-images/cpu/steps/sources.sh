# Packages come from a moment of Debian's archive instead of what it has today. That stays in the
# image: what is installed upon it has fitting versions, too.
set -eu
[ -n "${SNAPSHOT:-}" ] || exit 0
. /etc/os-release
rm -f /etc/apt/sources.list.d/*
archive="[check-valid-until=no] http://snapshot.debian.org/archive"
cat > /etc/apt/sources.list <<END
deb ${archive}/debian/${SNAPSHOT} ${VERSION_CODENAME} main
deb ${archive}/debian/${SNAPSHOT} ${VERSION_CODENAME}-updates main
deb ${archive}/debian-security/${SNAPSHOT} ${VERSION_CODENAME}-security main
END
