# One image, one node: `citynode run` with its data folder in /data. Secrets come as files, never into the image.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/citynode
COPY requirements.lock ./
RUN /opt/citynode/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY node ./node
RUN /opt/citynode/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11.13-slim-bookworm
# A new volume takes owner and mode of the folder it is mounted on: these are the ones a node writes to.
RUN useradd --system --uid 10001 --create-home citynode \
    && install -d -o citynode -m 0700 /data \
    && install -d -o citynode -m 0755 /secret
COPY --from=build /opt/citynode /opt/citynode
ENV PATH=/opt/citynode/bin:$PATH CITYNODE_DATA=/data CITYNODE_HOST=0.0.0.0 CITYNODE_PORT=8000 CITYNODE_LOG_FORMAT=json
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['CITYNODE_PORT'] + '/readyz', timeout=4)"]
CMD ["citynode", "run"]
