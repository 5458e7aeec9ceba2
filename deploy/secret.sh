#!/bin/sh
# Make a city's database password once, as the two files its containers read. Usage: secret.sh DATABASE-HOST
# Readable by all inside: the volume is mounted into the city's own containers alone, which run as different users.
set -eu
folder=${SECRET_FOLDER:-/secret}
if [ -f "$folder/database-url" ]; then exit 0; fi
password=$(python -c 'import secrets; print(secrets.token_urlsafe(32))')
umask 022
printf '%s' "$password" >"$folder/password"
# The URL comes last: it says that both are whole.
printf 'postgresql://citynode:%s@%s/citynode' "$password" "$1" >"$folder/database-url.part"
mv "$folder/database-url.part" "$folder/database-url"
