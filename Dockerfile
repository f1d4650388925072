# Dockerfile - the toolkit in a small image: docker build -t culvert . ; docker run --rm culvert culvert help
#
# Two stages, so that no compiler goes along.  It runs as a user, with the flows where `culvert mds run --docker-mode` calls them:
# scripts/mds/extract, from the working directory.
FROM debian:bookworm-slim AS build
# Not pinned: what Debian mends in its stable release is wanted.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libarchive-dev libc6-dev libcurl4-openssl-dev libexpat1-dev libgeos-dev libpq-dev libssl-dev make pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make -j4 O=build/image && make install O=build/image PREFIX=/usr/local DESTDIR=/image

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends \
        ca-certificates curl jq libarchive13 libcurl4 libexpat1 libgeos-c1v5 libpq5 libssl3 postgresql-client tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/culvert culvert \
    && install -d -o culvert /etc/culvert
COPY --from=build /image/usr/local /usr/local
WORKDIR /var/lib/culvert
RUN ln -s /usr/local/libexec/culvert scripts && for tool in /usr/local/bin/*; do "$tool" --version || exit; done
USER 10001
ENV LANG=C.UTF-8
CMD ["culvert", "help"]
