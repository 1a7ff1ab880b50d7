# The wheels, by their hashes. The secret `certificates` has authorities that a site's proxy needs.
set -eu
certificates=/run/secrets/certificates
[ ! -s "${certificates}" ] || export PIP_CERT="${certificates}"
python3 -m pip install --no-cache-dir --no-deps --no-compile --require-hashes \
  --target /wheels --requirement "$1"
