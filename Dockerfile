# Two images: docker build --target server -t nhip-server . ; docker build --target edge -t nhip-edge .
# For linux/amd64 and linux/arm64. What is built is JavaScript, and the native packages are prebuilt by their authors, so the first
# stages run on the builder's own processor. No stage that is shipped has a compiler, npm's cache or a test.
# The edge also for linux/arm/v7, which Node has no images for since 24: --build-arg EDGE_BASE=node:22-bookworm-slim
ARG EDGE_BASE=node:24.21.0-bookworm-slim

FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npm ci --ignore-scripts && npm run build && npm run package -- --bundle

# The packages that the server's bundle loads from node_modules (DuckDB, PostgreSQL, OPC UA, serial lines), for the processor of the
# image. No default for that processor: it would be taken in place of what is asked for.
FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm-slim AS packages
ARG TARGETARCH
WORKDIR /packages
COPY . .
RUN npm ci --omit=dev --ignore-scripts --os=linux --libc=glibc --cpu=$(echo $TARGETARCH | sed s/amd64/x64/)
COPY --from=build /build/dist/*.js dist/
RUN node packaging/docker/keep-needed.mjs dist node_modules

FROM $EDGE_BASE AS edge
COPY --from=build /build/dist/edge/nhip-edge /opt/nhip-edge
COPY packaging/docker/healthy.mjs /opt/nhip/packaging/docker/
# A numeric user, so that Kubernetes can check that it is not root. Serial lines: --device /dev/ttyUSB0 --group-add dialout.
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
VOLUME /data
ENV NODE_ENV=production NHIP_DATA=/data HOME=/tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/nhip-edge/nhip-edge.mjs"]
CMD ["run", "--config", "/etc/nhip/edge.yaml"]

FROM node:24.21.0-bookworm-slim AS server
WORKDIR /opt/nhip
COPY --from=packages /packages/node_modules node_modules
COPY --from=build /build/dashboards/web/dist dashboards/web/dist
COPY --from=build /build/dist/*.js dist/
COPY package.json LICENSE ./
COPY cli/bin.mjs cli/
COPY packaging/docker/healthy.mjs packaging/docker/init.mjs packaging/docker/prepare-influxdb.mjs packaging/docker/
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
VOLUME /data
ENV NODE_ENV=production NHIP_SKIP_BUILD=1 NHIP_DATA=/data HOME=/tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/nhip/cli/bin.mjs"]
CMD ["server"]
