#!/usr/bin/env bash
# Run once by the postgres image on an empty data folder: the two roles and the database. The owner migrates and
# makes the roles of the services; the application's login has no rights of its own.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U postgres -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" <<'SQL'
create role gatehouse_owner login createrole password :'owner_password';
create role gatehouse_app login noinherit nosuperuser nobypassrls nocreaterole nocreatedb password :'app_password';
create database gatehouse owner gatehouse_owner;
SQL
