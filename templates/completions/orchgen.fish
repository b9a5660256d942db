# Completion of orchgen for fish. orchgen itself lists the candidates, so that they have the names of the registry.

function __orchgen_complete
    # The words before the cursor, then the part of the last one before the cursor.
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    orchgen __complete fish $before "$current" 2>/dev/null
end

complete --command orchgen --no-files --keep-order --arguments '(__orchgen_complete)'
