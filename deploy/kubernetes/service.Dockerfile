# The service under test, and Envoy before it: perfdb with what `perfdb serve` needs. Built from the top of the checkout.
FROM python:3.11-slim

COPY pyproject.toml README.md LICENSE /src/
COPY perfdb /src/perfdb

RUN python -m pip install --no-cache-dir --disable-pip-version-check "/src[scaling]" && rm -r /src

RUN useradd --create-home --uid 1000 service

USER 1000:1000

WORKDIR /home/service
