# Certificates, an init, and the libraries that manylinux wheels may expect of a system (PEP 599 and
# 600). libgl1 alone would bring Mesa and LLVM, 150 MB that render on nobody's screen: a package
# without content stands for them, and libGL loads as before.
set -eu
mkdir -p /stub/DEBIAN
cat > /stub/DEBIAN/control <<END
Package: sendoff-no-mesa
Version: 1
Architecture: all
Maintainer: sendoff
Provides: libglx-mesa0, libglx-vendor
Description: stands for a renderer
END
dpkg-deb --root-owner-group --build /stub /stub.deb
apt-get update
apt-get install --yes --no-install-recommends /stub.deb \
  ca-certificates libexpat1 libgl1 libglib2.0-0 libgomp1 libice6 libsm6 libstdc++6 libx11-6 \
  libxext6 libxrender1 netbase tini tzdata zlib1g
rm -r /stub /stub.deb
