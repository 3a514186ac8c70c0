#!/usr/bin/env bash
# Runs the controller and its worker in one host, until Ctrl+C.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=.venv/bin/python
[ -x "$python" ] || python=python3
config=examples/controller_worker/config
exec "$python" manage.py runmachines "$config/controller.yaml" "$config/task_worker.yaml"
