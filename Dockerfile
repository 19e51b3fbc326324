# syntax=docker/dockerfile:1

# Wheels first, in a stage that is thrown away: the image has neither pip's cache nor our sources.
FROM python:3.13-slim AS wheels
WORKDIR /src
# The list of dependencies alone: this layer is built again only when that changes.
COPY pyproject.toml README.md LICENSE ./
RUN pip wheel --no-cache-dir --wheel-dir /wheels .
COPY models models
COPY shop shop
COPY api api
COPY admin admin
COPY storefront storefront
COPY migrations migrations
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
# A fixed number, so that files on a volume keep their owner when the image is built anew.
RUN useradd --system --uid 10001 --create-home --home-dir /srv/aidmall aidmall
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels aidmall
USER aidmall
WORKDIR /srv/aidmall
ENV AIDMALL_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/srv/aidmall/var \
    SEED=none \
    LOG_FORMAT=json \
    PYTHONUNBUFFERED=1
EXPOSE 8000
# For the web server; the worker's health is in the database and shown by /readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["aidmall", "web"]
