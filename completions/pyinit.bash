# bash completion for pyinit: its options up to the program, then the program's own completion.

_pyinit() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} place
    local with_argument=' -r --rewrite -e --remap-exit -t --grace -k --kill-after -d --stop-delay -p
        --parent-death-signal -u --user --log-format '

    for ((place = 1; place < COMP_CWORD; place++)); do
        case ${COMP_WORDS[place]} in
        --)
            _pyinit_program $((place + 1))
            return
            ;;
        -*)
            [[ $with_argument == *[[:space:]]${COMP_WORDS[place]}[[:space:]]* ]] && ((place++))
            # bash splits --grace=3 into three words.
            [[ ${COMP_WORDS[place + 1]} == = ]] && ((place += 2))
            ;;
        *)
            _pyinit_program "$place"
            return
            ;;
        esac
    done
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && current=
    case $previous in
    -p | --parent-death-signal)
        mapfile -t COMPREPLY < <(compgen -A signal -- "$current")
        ;;
    -u | --user)
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
        ;;
    --log-format)
        mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$current")
        ;;
    -r | --rewrite | -e | --remap-exit | -t | --grace | -k | --kill-after | -d | --stop-delay) ;;
    *)
        if [[ $current == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '
                -g --group -a --all -c --same-group -S --session -r --rewrite -e --remap-exit -t --grace
                -k --kill-after -d --stop-delay -W --wait -s --subreaper --no-subreaper
                -p --parent-death-signal -u --user -P --pause -w --warn-on-reap -v --verbose --log-format
                --tree -l --license -V --version -h --help' -- "$current")
        else
            mapfile -t COMPREPLY < <(compgen -c -- "$current")
        fi
        ;;
    esac
}

# The rest of the line is the program's. Without the package bash-completion there is nobody to ask: files then.
_pyinit_program() {
    declare -F _command_offset >/dev/null && _command_offset "$1"
}
complete -o default -F _pyinit pyinit
