\echo Use "ALTER EXTENSION companion UPDATE TO '0.2.0'" to load this file. \quit
