# The wheels hold one tree, which becomes /usr/local/cuda. Their dist-info says what is in it.
set -eu
mkdir -p /toolkit
mv /wheels/nvidia/cu* /toolkit/cuda
mv /wheels/*.dist-info /toolkit/cuda/
find /toolkit -name __init__.py -delete
ln -s lib /toolkit/cuda/lib64
for library in /toolkit/cuda/lib/lib*.so.*; do
  ln -s "${library##*/}" "${library%%.so.*}.so"
done
chmod -R u+rwX,go+rX,go-w /toolkit
