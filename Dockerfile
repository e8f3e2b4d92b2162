# One image for every line of the Procfile: `docker run … backroom web`, `… control`, `… worker_payments`, `… release`.
# Build: docker build --build-arg TORCH_INDEX=ADDRESS .   (the index that PyTorch's installation page shows for CPU)

FROM python:3.11-slim-bookworm AS build
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH MODEL_DIR=/app/model
# PyTorch first and by itself: asked for by name alone it brings gigabytes of CUDA. Then what the lock names, by hash.
COPY setup/torch_cpu.py setup/
# hadolint ignore=DL3013
RUN version=$(python -c 'import sys; sys.path.insert(0, "setup"); import torch_cpu; print(torch_cpu.VERSION)') \
    && pip install "torch==$version" ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
COPY requirements/runtime.lock requirements/
RUN pip install --no-deps --require-hashes --requirement requirements/runtime.lock
COPY . .
RUN pip install --no-deps --editable . \
    && backroom model \
    && chmod --recursive a+rX /app/model

FROM python:3.11-slim-bookworm
# The Aptfile names what draws invoices; Debian's own fixes of it are wanted, so no version is pinned.
COPY Aptfile /tmp/Aptfile
# hadolint ignore=DL3008
RUN apt-get update \
    && xargs -a /tmp/Aptfile apt-get install --yes --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /app backroom
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME=/tmp MODEL_DIR=/app/model PORT=8000
USER 10001
EXPOSE 8000
# For `web`; compose.yaml takes it away from the others, which answer nobody and end when they cannot go on.
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-S", "bin/healthy"]
ENTRYPOINT ["bin/start"]
CMD ["web"]
