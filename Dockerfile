# PostgreSQL with companion and pg_cron: the official image, and this extension built for it.
ARG PG_MAJOR=17
FROM postgres:${PG_MAJOR}

COPY . /usr/src/companion
RUN /usr/src/companion/docker/install
COPY docker/first_start.sh /docker-entrypoint-initdb.d/companion.sh
