/* How to start the payload, decided in full before the child exists: see spawn.c. */
#ifndef PYINIT_SPAWN_H
#define PYINIT_SPAWN_H

#include "environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum placement { SAME_GROUP, OWN_GROUP, OWN_SESSION }; /* as in pyinit/native/placement.py */

struct plan {
    char **arguments;  /* one free place, the program and its arguments, NULL */
    struct environment environment;
    int placement;
    int terminal;      /* a descriptor, or -1 */
    uint64_t mask;     /* bit n-1 for signal n */
    bool ignore_chld;
    int death_signal;  /* the payload's parent-death signal, or 0 */
    pid_t init;        /* with a death_signal: init's pid, negative if not known */
    bool has_identity;
    unsigned user, group;
    unsigned *groups;
    size_t group_count;

    const char *search;    /* the value of PATH */
    char *candidate;       /* a buffer for one of its elements and the program's name */

    const char *step;      /* set by the child: what failed, or NULL */
    int error;             /* and its errno */
    bool is_shared;        /* set by the child: it shares init's memory, as after vfork(2) */
    bool is_users;         /* set by the child: its real user id is `user` */
    int report;            /* if it does not: the pipe that step and error are written to, or -1 */
};

/* Return false if there is not enough memory. */
bool pyinit_plan_search(struct plan *plan);
/* Return the payload's pid; or 0, with the reason in plan->step and plan->error. */
pid_t pyinit_spawn(struct plan *plan);
void pyinit_plan_free(struct plan *plan);

#endif
