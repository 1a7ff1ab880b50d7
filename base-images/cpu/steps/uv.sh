# A Python that the distribution does not have: uv brings python-build-standalone.
set -eu
for name in UV_PYTHON_INSTALL_MIRROR UV_PYTHON_DOWNLOADS_JSON_URL; do
  eval "[ -n \"\${${name}:-}\" ]" || unset "${name}"
done
certificates=/run/secrets/certificates
[ ! -s "${certificates}" ] || export SSL_CERT_FILE="${certificates}"
/uv/bin/uv --no-cache python install --no-bin --install-dir /opt/python \
  "cpython-${PYTHON_VERSION}-linux-x86_64-gnu"
rm -rf /opt/python/.[!.]*
