FROM registry.example/base/cpu@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2 AS tools
USER 0
RUN if ! command -v cc >/dev/null || ! /usr/bin/python3.11 -I -c "import sysconfig, os; exit(not os.path.exists(sysconfig.get_path('include') + '/Python.h'))"; then \
      apt-get -o APT::Update::Error-Mode=any update \
   && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends gcc g++ libc6-dev make pkg-config python3.11-dev \
   && rm -rf /var/lib/apt/lists/*; \
    fi
RUN apt-get -o APT::Update::Error-Mode=any update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends libpq-dev \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log /var/log/alternatives.log

FROM tools AS built
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=requirements,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/"]
RUN mkdir -p /opt/sendoff/env/bin && ln -s /usr/bin/python3.11 /opt/sendoff/env/bin/python && ln -s python /opt/sendoff/env/bin/python3 \
 && printf 'home = /usr/bin\ninclude-system-site-packages = false\n' > /opt/sendoff/env/pyvenv.cfg
ENV PATH=/opt/sendoff/env/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SOURCE_DATE_EPOCH=315532800 \
    SETUPTOOLS_SCM_PRETEND_VERSION=1.7 PBR_VERSION=1.7
RUN --network=none \
    --mount=type=bind,from=maker,target=/sendoff/maker \
    --mount=type=bind,from=plan,target=/sendoff/plan \
    --mount=type=bind,from=source,target=/sendoff/source \
    python /sendoff/maker/wheel_maker.py /sendoff/plan/plan.json /sendoff/source /sendoff/wheels

FROM scratch
COPY --from=built /sendoff/wheels/ /
