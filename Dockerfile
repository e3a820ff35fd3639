# The API's image, as the pipeline's registry stage builds it: one static executable, FROM scratch. It is the same code
# path as `cargo xtask package`, which makes the image that is reproducible to the byte.
FROM public.ecr.aws/docker/library/rust:1.95-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add x86_64-unknown-linux-musl
WORKDIR /source
COPY . .
# The C code of ring is compiled with the host's compiler; musl's own start files come with Rust's target.
ENV CC_x86_64_unknown_linux_musl=cc
RUN cargo build --release --locked --package stackway-api --target x86_64-unknown-linux-musl

FROM scratch
COPY --from=build /source/target/x86_64-unknown-linux-musl/release/stackway-api /bootstrap
ENTRYPOINT ["/bootstrap"]
