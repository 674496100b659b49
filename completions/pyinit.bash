# bash completion for pyinit: its options up to the program, then the program's own completion.

_pyinit() {
    local place last word option flags words=() starts=() pause=
    local letters=retkdpu long=' --rewrite --remap-exit --grace --kill-after --stop-delay --stop-signal
        --parent-death-signal --user --log-format '

    # bash splits --grace=3 and TERM:QUIT into three words.
    for ((place = 0; place <= COMP_CWORD; place++)); do
        if ((place > 1)) && [[ ${COMP_WORDS[place]} == [:=]* || ${COMP_WORDS[place - 1]} == [:=] ]]; then
            words[-1]+=${COMP_WORDS[place]}
        else
            words+=("${COMP_WORDS[place]}")
            starts+=("$place")
        fi
    done
    ((last = ${#words[@]} - 1))

    for ((place = 1; place < last; place++)); do
        word=${words[place]} option=
        case $word in
        --)
            _pyinit_program "${starts[place + 1]}"
            return
            ;;
        --pause) pause=yes ;;
        --*) [[ $long == *[[:space:]]"$word"[[:space:]]* ]] && option=$word ;;
        -?*)
            # Letters without an argument, then perhaps one with an argument, attached or as the next word.
            flags=${word%%[$letters]*}
            [[ $flags == *P* ]] && pause=yes
            [[ ${word#"$flags"} == ? ]] && option=-${word#"$flags"}
            ;;
        *)
            _pyinit_program "${starts[place]}"
            return
            ;;
        esac
        [[ $option ]] && ((place++))
    done

    word=${words[last]}
    ((place > last)) || option=
    if [[ ! $option && $word == --*=* ]]; then
        option=${word%%=*} word=${word#*=}
    fi
    case $option in
    -p | --parent-death-signal | --stop-signal)
        _pyinit_reply "$word" -W "$(_pyinit_signals "$word")"
        ;;
    -r | --rewrite)
        if [[ $word == *:* ]]; then
            word=${word#*:}
            _pyinit_reply "$word" -W "$(_pyinit_signals "$word")"
        else
            compopt -o nospace
            _pyinit_reply "$word" -S : -W "$(_pyinit_signals "$word")"
        fi
        ;;
    -u | --user)
        if [[ $word == *:* ]]; then
            _pyinit_reply "${word#*:}" -g
        else
            _pyinit_reply "$word" -u
        fi
        ;;
    --follow)
        compopt -o filenames
        _pyinit_reply "$word" -f
        ;;
    --log-format)
        _pyinit_reply "$word" -W 'text json'
        ;;
    '')
        if [[ $word == -* ]]; then
            _pyinit_reply "$word" -W '
                -g --group -a --all -c --same-group -S --session -r --rewrite -e --remap-exit -t --grace
                -k --kill-after -d --stop-delay --stop-signal --follow -W --wait -s --subreaper --no-subreaper
                -p --parent-death-signal -u --user -P --pause -w --warn-on-reap -v --verbose --log-format
                --tree -l --license -V --version -h --help'
        elif [[ ! $pause ]]; then
            _pyinit_program "${starts[last]}"
        fi
        ;;
    esac
}

# Reply with what compgen, given the other arguments, offers for the typed text: the end of bash's word, or all of it.
_pyinit_reply() {
    local typed=$1 whole=${COMP_WORDS[COMP_CWORD]}
    [[ $whole == [:=]* ]] && whole=
    mapfile -t COMPREPLY < <(compgen -P "${whole%"$typed"}" "${@:2}" -- "$typed")
}

# Print the names of signals, with SIG if the typed text begins with SI. compgen lists more than signals.
_pyinit_signals() {
    local name
    for name in $(compgen -A signal SIG); do
        [[ $name == SIGJUNK* ]] && continue
        [[ $1 == SI* ]] || name=${name#SIG}
        printf '%s\n' "$name"
    done
}

# Complete the program, at the given index, or its own arguments behind it.
_pyinit_program() {
    local word=${COMP_WORDS[COMP_CWORD]} name
    if (($1 < COMP_CWORD)); then
        # Without the package bash-completion, offer files.
        if declare -F _command_offset >/dev/null; then
            _command_offset "$1"
        else
            compopt -o default
        fi
    elif [[ $word == */* ]]; then
        compopt -o filenames
        while read -r name; do
            [[ -x ${name/#\~\//"$HOME"/} ]] && COMPREPLY+=("$name")
        done < <(compgen -f -- "$word")
    else
        # Leave out the shell's own commands: init cannot start them.
        while read -r name; do
            type -P -- "$name" >/dev/null && COMPREPLY+=("$name")
        done < <(compgen -c -- "$word")
    fi
}
complete -F _pyinit pyinit
