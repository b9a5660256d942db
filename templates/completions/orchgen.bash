# Completion of orchgen for bash. orchgen itself lists the candidates, so that they have the names of the registry.
# shellcheck shell=bash

_orchgen() {
  # The words up to the cursor, with their quotes, then the part of the last one before the cursor. Candidates end with a
  # blank if they are complete.
  mapfile -t COMPREPLY < <(orchgen __complete bash "${COMP_WORDS[@]:0:COMP_CWORD+1}" "$2" 2>/dev/null)
}

complete -o nospace -o default -F _orchgen orchgen
