# The edge agent in a container: docker build -f packaging/docker/edge.Dockerfile -t nhip-edge .
#   docker run -d --restart unless-stopped -v ./edge:/etc/nhip:ro -v nhip-edge:/data --read-only --cap-drop ALL nhip-edge
# For linux/amd64, linux/arm64 and linux/arm/v7: what is built is JavaScript, so the first stage runs on the builder's own processor.
FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npm ci --ignore-scripts && npm run package -- --bundle

FROM node:24.21.0-bookworm-slim
COPY --from=build /build/dist/edge/nhip-edge /opt/nhip-edge
# A numeric user, so that Kubernetes can check that it is not root. Serial lines: --device /dev/ttyUSB0 --group-add dialout.
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
VOLUME /data
ENV NODE_ENV=production NHIP_DATA=/data MALLOC_ARENA_MAX=1
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/nhip-edge/nhip-edge.mjs"]
CMD ["run", "--config", "/etc/nhip/edge.yaml"]
