FROM registry.example/base/cpu@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2
USER 0
RUN apt-get -o APT::Update::Error-Mode=any update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends file libpq5 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
RUN --mount=type=secret,id=TOKEN,env=TOKEN make install
RUN --mount=type=secret,id=TOKEN,env=TOKEN ["/bin/sh", "-c", "cat <<END\n$HOME\nEND"]
RUN --mount=type=secret,id=TOKEN,env=TOKEN ["/bin/sh", "-c", "echo \\"]
RUN --mount=type=secret,id=TOKEN,env=TOKEN ["/bin/sh", "-c", "[\"a\"]"]
USER 1000:1000
