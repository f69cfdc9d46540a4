# Falco with the bundled Docker plugin, only for Docker's events: without a driver, and without privileges other than the socket.
#
#   docker build -t falco-docker -f docker/falco.Dockerfile .
#   docker run --rm -v /var/run/docker.sock:/var/run/docker.sock falco-docker
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ cmake ninja-build libsimdjson-dev liblz4-dev libre2-dev libyaml-cpp-dev
COPY . /source
RUN python -m venv /opt/lanner && /opt/lanner/bin/pip install --no-cache-dir /source
RUN /opt/lanner/bin/lanner build docker --bundle -o /libdocker.so

FROM falcosecurity/falco:0.44.1
COPY --from=build /libdocker.so /usr/share/falco/plugins/libdocker.so
COPY --from=build /source/src/lanner/docker/docker_rules.yaml /etc/falco/docker_rules.yaml
COPY docker/falco.d/docker.yaml /etc/falco/docker.yaml
CMD ["/usr/bin/falco", "-c", "/etc/falco/docker.yaml"]
