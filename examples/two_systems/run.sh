#!/usr/bin/env bash
# Runs the shop and the warehouse, each in a host of its own, until Ctrl+C.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=.venv/bin/python
[ -x "$python" ] || python=python3
config=examples/two_systems/config

"$python" manage.py runmachine "$config/warehouse.yaml" &
"$python" manage.py runmachine "$config/shop.yaml" &

# Both are told to stop, and have ended when this ends.
trap 'kill $(jobs -pr) 2>/dev/null || true' INT TERM
while [ -n "$(jobs -pr)" ]; do wait || true; done
