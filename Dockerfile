# The binary comes from outside: `make build`, or `promu crossbuild` with
# --build-arg BINARY=.build/linux-arm64/softdelete_exporter.
# The base image brings the root certificates that sslmode=verify-full needs.
FROM gcr.io/distroless/static-debian12:latest
LABEL org.opencontainers.image.source="https://github.com/softdelete-exporter/softdelete_exporter" \
      org.opencontainers.image.licenses="Apache-2.0"

ARG BINARY=softdelete_exporter
COPY ${BINARY} /bin/softdelete_exporter

EXPOSE     10862
# nobody, by number, so that Kubernetes can see that it is not root
USER       65534
ENTRYPOINT ["/bin/softdelete_exporter"]
