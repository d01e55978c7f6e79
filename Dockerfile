# Two stages: the wheel and its dependencies are built in the first, only the environment goes into the second.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY pg_bridge ./pg_bridge
COPY mappings ./mappings
RUN python -m venv /opt/pg-bridge && /opt/pg-bridge/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/pg-bridge --create-home pgbridge
COPY --from=build /opt/pg-bridge /opt/pg-bridge
ENV PATH="/opt/pg-bridge/bin:$PATH" PYTHONUNBUFFERED=1 \
    PG_BRIDGE_PSS_HOST=0.0.0.0 PG_BRIDGE_PUSH_HOST=0.0.0.0 \
    PG_BRIDGE_JOURNAL_PATH=/var/lib/pg-bridge/journal.sqlite
USER pgbridge
WORKDIR /var/lib/pg-bridge
VOLUME /var/lib/pg-bridge
EXPOSE 7000 7080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7080/health', timeout=2)"]
ENTRYPOINT ["pg-bridge"]
CMD ["serve", "-c", "/etc/pg-bridge/bridge.toml"]
