# Sourced by demo.sh and test.sh: what every dotnet command of theirs runs under.
export DOTNET_NOLOGO=1
export DOTNET_CLI_TELEMETRY_OPTOUT=1
export DOTNET_CLI_UI_LANGUAGE=en

# An SDK unpacked by Microsoft's install script is often not on the PATH.
if ! command -v dotnet >/dev/null 2>&1 && [ -x "$HOME/.dotnet/dotnet" ]; then
  export DOTNET_ROOT="$HOME/.dotnet"
  export PATH="$HOME/.dotnet:$PATH"
fi

# A bare Debian has no ICU, and without it the SDK itself does not start. Nothing here depends on a culture.
# All is read before it is searched: "grep -q" ends at the first hit, and a writer that is not done then fails the pipe.
libraries=$(ldconfig -p 2>/dev/null || true)
if [ -n "$libraries" ] && [[ $libraries != *libicuuc.so* ]]; then
  export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
fi
unset libraries

# A job without a login has no HOME, and NuGet does not start without one.
if [ -z "${HOME:-}" ]; then
  HOME=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)
  export HOME=${HOME:-/tmp}
fi
