# The API's image, as the pipeline's registry stage builds it: one static executable, FROM scratch, for Lambda and for Fargate
# alike. It is the same code path as `cargo xtask package`, which makes the image that is reproducible to the byte. It is built
# for the processor of the engine that builds it.
FROM public.ecr.aws/docker/library/rust:1.95-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /source
COPY . .
# The C code of ring is compiled with the host's compiler; musl's own start files come with Rust's target.
ENV CC_x86_64_unknown_linux_musl=cc CC_aarch64_unknown_linux_musl=cc
RUN cargo build --release --locked --package stackway-api --target "$(uname -m)-unknown-linux-musl" \
    && cp "target/$(uname -m)-unknown-linux-musl/release/stackway-api" /bootstrap

FROM scratch
COPY --from=build /bootstrap /bootstrap
# Nobody that the image knows by name, and not root. Lambda takes a user of its own.
USER 65532:65532
# Where it serves when it is not under Lambda.
ENV LISTEN_ADDR=0.0.0.0:8080
EXPOSE 8080/tcp
WORKDIR /
ENTRYPOINT ["/bootstrap"]
