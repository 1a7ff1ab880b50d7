FROM registry.example/base/cpu@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2 AS base
USER 0

# package-59
FROM base AS made-00
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-00,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-58
FROM base AS made-01
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-01,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-57
FROM base AS made-02
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-02,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-56
FROM base AS made-03
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-03,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-55
FROM base AS made-04
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-04,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-54
FROM base AS made-05
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-05,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-53
FROM base AS made-06
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-06,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-52
FROM base AS made-07
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-07,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-51
FROM base AS made-08
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-08,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-50
FROM base AS made-09
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-09,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-49
FROM base AS made-10
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-10,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-48
FROM base AS made-11
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-11,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-47
FROM base AS made-12
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-12,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-46
FROM base AS made-13
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-13,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-45
FROM base AS made-14
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-14,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-44
FROM base AS made-15
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-15,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-43
FROM base AS made-16
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-16,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-42
FROM base AS made-17
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-17,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-41
FROM base AS made-18
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-18,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-40
FROM base AS made-19
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-19,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-39
FROM base AS made-20
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-20,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-38
FROM base AS made-21
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-21,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-37
FROM base AS made-22
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-22,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-36
FROM base AS made-23
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-23,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-07, package-13, package-14, package-19, package-21, package-28, package-33
FROM base AS made-24
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-24,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-01, package-09, package-17, package-20, package-22, … 10b568fd
FROM base AS made-25
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-25,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-00, package-03, package-05, package-10, package-11, … d197cc60
FROM base AS made-26
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-26,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-02, package-08, package-18, package-35
FROM base AS made-27
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-27,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

# package-04, package-06, package-12, package-15, package-23, package-32
FROM base AS made-28
RUN --network=none \
    --mount=type=bind,from=installer,target=/sendoff/installer \
    --mount=type=bind,from=layer-28,target=/sendoff/layer \
    ["/usr/bin/python3.11", "-I", "-S", "-B", "-W", "ignore", "/sendoff/installer/layer_installer.py", "/sendoff/layer", "/sendoff/out"]

FROM scratch
COPY --link --from=made-00 /sendoff/out/ /
COPY --link --from=made-01 /sendoff/out/ /
COPY --link --from=made-02 /sendoff/out/ /
COPY --link --from=made-03 /sendoff/out/ /
COPY --link --from=made-04 /sendoff/out/ /
COPY --link --from=made-05 /sendoff/out/ /
COPY --link --from=made-06 /sendoff/out/ /
COPY --link --from=made-07 /sendoff/out/ /
COPY --link --from=made-08 /sendoff/out/ /
COPY --link --from=made-09 /sendoff/out/ /
COPY --link --from=made-10 /sendoff/out/ /
COPY --link --from=made-11 /sendoff/out/ /
COPY --link --from=made-12 /sendoff/out/ /
COPY --link --from=made-13 /sendoff/out/ /
COPY --link --from=made-14 /sendoff/out/ /
COPY --link --from=made-15 /sendoff/out/ /
COPY --link --from=made-16 /sendoff/out/ /
COPY --link --from=made-17 /sendoff/out/ /
COPY --link --from=made-18 /sendoff/out/ /
COPY --link --from=made-19 /sendoff/out/ /
COPY --link --from=made-20 /sendoff/out/ /
COPY --link --from=made-21 /sendoff/out/ /
COPY --link --from=made-22 /sendoff/out/ /
COPY --link --from=made-23 /sendoff/out/ /
COPY --link --from=made-24 /sendoff/out/ /
COPY --link --from=made-25 /sendoff/out/ /
COPY --link --from=made-26 /sendoff/out/ /
COPY --link --from=made-27 /sendoff/out/ /
COPY --link --from=made-28 /sendoff/out/ /
