# docker build --build-arg REVISION="$(git rev-parse HEAD)" -t softdelete_exporter .
#
# The compiler runs on the architecture of the machine, and compiles for that of the
# image. So `docker buildx build --platform linux/amd64,linux/arm64` needs no emulation.
FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH REVISION=
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build REVISION="$REVISION" BRANCH=HEAD BUILD_USER=docker BUILD_DATE= && \
    scripts/licenses.sh >LICENSES

# It has the root certificates that sslmode=verify-full needs, and no shell.
FROM gcr.io/distroless/static-debian12:nonroot
ARG REVISION=
LABEL org.opencontainers.image.title="softdelete_exporter" \
      org.opencontainers.image.description="Prometheus exporter for PostgreSQL tables that use soft delete" \
      org.opencontainers.image.source="https://github.com/softdelete-exporter/softdelete_exporter" \
      org.opencontainers.image.documentation="https://github.com/softdelete-exporter/softdelete_exporter#readme" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$REVISION"

COPY --from=build /src/softdelete_exporter /bin/softdelete_exporter
COPY --from=build /src/LICENSE /src/NOTICE /src/LICENSES /licenses/

EXPOSE     10862
# The number of nobody, so that Kubernetes can check that it is not root.
USER       65534
ENTRYPOINT ["/bin/softdelete_exporter"]
