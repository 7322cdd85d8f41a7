# Build the binary first, with `make build`; or with `promu crossbuild`, and then use
# --build-arg BINARY=.build/linux-arm64/softdelete_exporter.
# The base image has the root certificates that sslmode=verify-full needs.
FROM gcr.io/distroless/static-debian12:latest
LABEL org.opencontainers.image.source="https://github.com/softdelete-exporter/softdelete_exporter" \
      org.opencontainers.image.licenses="Apache-2.0"

ARG BINARY=softdelete_exporter
COPY ${BINARY} /bin/softdelete_exporter

EXPOSE     10862
# The number of nobody, so that Kubernetes can check that it is not root.
USER       65534
ENTRYPOINT ["/bin/softdelete_exporter"]
