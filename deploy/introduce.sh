#!/bin/sh
# What two operators do so that their cities know and mirror each other, here for both at once. May be said again.
# Their data folders are in $CITIES, their secrets in $SECRETS, the demonstration catalogues in $DEMO.
set -eu
CITIES=${CITIES:-/cities} SECRETS=${SECRETS:-/secrets} DEMO=${DEMO:-/demo}

# at CITY WORDS…: a command at that city's own node.
at() {
    city=$1
    shift
    if [ -f "$SECRETS/$city/database-url" ]; then
        CITYNODE_DATABASE_URL_FILE="$SECRETS/$city/database-url" citynode "$@" --data "$CITIES/$city"
    else
        citynode "$@" --data "$CITIES/$city"
    fi
}

# named CITY LIST NAME: whether a list of that city has a name already.
named() {
    at "$1" "$2" list --json | grep -q "\"name\": *\"$3\""
}

# publish CITY SOURCE FILE KIND: harvest a catalogue; the worker goes on by its timetable, and may have begun already.
publish() {
    named "$1" sources "$2" || at "$1" sources add "$2" "$DEMO/$3" --kind "$4"
    tries=0
    until at "$1" harvest run "$2"; do
        [ "$?" -eq 3 ] && [ "$tries" -lt 60 ] || return 1
        tries=$((tries + 1))
        sleep 1
    done
}

# meet CITY OTHER: know the other city by its invitation, pin its keys, mirror its open data.
meet() {
    if ! named "$1" peers "$2"; then
        at "$1" peers add "$(at "$2" peers invite)" --name "$2"
        at "$1" peers approve "$2" --yes
    fi
    at "$1" peers follow "$2" open-data
}

publish helsinki hri helsinki.json ckan
publish london london-datastore london.json datapress
meet helsinki london
meet london helsinki
at helsinki exchange run london --wait
at london exchange run helsinki --wait
at london peers list
