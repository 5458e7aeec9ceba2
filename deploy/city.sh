#!/bin/sh
# Make the node on its first start, then run it. Usage: city.sh --name NAME --base-url URL [--lang en,fi]
# Saying `init` again with the same name and address changes nothing.
set -eu
citynode init "$@"
exec citynode run
