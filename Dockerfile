# Two stages: the first compiles, the second carries the emitted JavaScript, the production dependencies and Node, no more.
ARG NODE=24.21.0-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY tools/node/package.json tools/node/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build
# Without the workspace tools/node, which brings a Node of its own for development.
RUN npm ci --omit=dev --omit=optional --workspaces=false --no-audit --no-fund

FROM node:${NODE}
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY manifests manifests
COPY metacontroller metacontroller
COPY kustomize/components kustomize/components
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["node", "/app/dist/main.js"]
