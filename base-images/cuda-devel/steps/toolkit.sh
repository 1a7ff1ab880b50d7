# The wheels of CUDA 13 hold one tree, those of CUDA 12 a part each, which become /usr/local/cuda. Their
# dist-info says what is in it.
set -eu
mkdir -p /toolkit/cuda
for part in /wheels/nvidia/cu*/; do
  cp -a "${part}." /toolkit/cuda/
done
mv /wheels/*.dist-info /toolkit/cuda/
find /toolkit -name __init__.py -delete
ln -s lib /toolkit/cuda/lib64
for library in /toolkit/cuda/lib/lib*.so.*; do
  ln -s "${library##*/}" "${library%%.so.*}.so"
done
chmod -R u+rwX,go+rX,go-w /toolkit
