# ksdp with the versions that its tests have passed with.
#
#     docker build -t ksdp .
#     docker run --rm -v "$PWD:/data" ksdp simulate --flow laminar2d --A 1,10 --T 0.01
#
# For the CPU alone give PyTorch's index of CPU wheels (its page "Get started" names it), which leaves gigabytes out:
#
#     docker build -t ksdp --build-arg TORCH_INDEX=URL .
FROM python:3.11-slim
ARG TORCH_INDEX=""
WORKDIR /opt/ksdp
COPY pyproject.toml README.md LICENSE constraints.txt ./
RUN if [ -n "$TORCH_INDEX" ]; then \
        pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)"; \
    fi
COPY ksdp ksdp
COPY ksdp_cli ksdp_cli
RUN pip install --no-cache-dir -c constraints.txt '.[dask,export,slurm]'
# What a first run would compile; on another kind of processor the user's cache folder takes it anew.
ENV KSDP_CACHE_DIR=/opt/ksdp-cache
RUN ksdp warm-up && chmod -R a+rX /opt/ksdp-cache
WORKDIR /data
ENTRYPOINT ["ksdp"]
CMD ["--help"]
