#!/usr/bin/env bash
# Kills the broker again and again under load and checks that nothing acknowledged is lost, doubled or torn.
#
#   scripts/durability.sh [ROUNDS] [SEED]      100 rounds and a random seed when not given; the seed is printed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh

export DURABILITY_ROUNDS=${1:-100}
export DURABILITY_SEED=${2:-$RANDOM}
echo "durability: $DURABILITY_ROUNDS rounds, seed $DURABILITY_SEED"
dotnet build tests/Interop -v quiet --nologo
dotnet tests/Interop/bin/Debug/net10.0/Interop.dll --filter-class Interop.DurabilityTests --output Detailed --no-progress
