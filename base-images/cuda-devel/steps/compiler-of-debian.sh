# nvcc from Debian's archive where NVIDIA's wheels have none: those of CUDA 12. The programs are
# NVIDIA's own, and are laid out as in the wheels of CUDA 13.
set -eu
pin="$1"
[ -f "${pin}" ] || exit 0
set -- $(grep -v '^#' "${pin}")
archive="http://deb.debian.org/debian"
[ -z "${SNAPSHOT:-}" ] || archive="http://snapshot.debian.org/archive/debian/${SNAPSHOT}"
/usr/lib/apt/apt-helper download-file "${DEBIAN_MIRROR:-${archive}}/$1" /compiler.deb "SHA256:$2"
dpkg-deb --extract /compiler.deb /compiler
apt-get install --yes --no-install-recommends binutils

cuda=/toolkit/cuda lib=/compiler/usr/lib/nvidia-cuda-toolkit
mkdir -p "${cuda}/bin" "${cuda}/nvvm/bin"
for program in __nvcc_device_query bin2c cudafe++ fatbinary nvlink; do
  mv "/compiler/usr/bin/${program}" "${cuda}/bin/"
done
mv "${lib}/bin/nvcc" "${lib}/bin/crt" "${cuda}/bin/"
mv "${lib}/bin/cicc" "${cuda}/nvvm/bin/"
mv /compiler/usr/share/doc/nvidia-cuda-toolkit/copyright "${cuda}/copyright"
cat > "${cuda}/bin/nvcc.profile" <<'END'
TOP = $(_HERE_)/..
CICC_PATH = $(TOP)/nvvm/bin
NVVMIR_LIBRARY_DIR = $(TOP)/nvvm/libdevice
LD_LIBRARY_PATH += $(TOP)/lib:
PATH += $(CICC_PATH):$(_HERE_):
INCLUDES += "-I$(TOP)/include" $(_SPACE_)
LIBRARIES =+ $(_SPACE_) "-L$(TOP)/lib" "-Xlinker" "-rpath=$(TOP)/lib"
END
# nvcc links both unless it is told otherwise, and no wheel has them: programs get the shared runtime
# instead, and no kernels that start kernels.
echo 'INPUT(-lcudart)' > "${cuda}/lib/libcudart_static.a"
as -o /empty.o /dev/null
ar rcD "${cuda}/lib/libcudadevrt.a" /empty.o
chmod -R u+rwX,go+rX,go-w /toolkit
