/* Environments, as execve(2) has them: lists of NAME=value with NULL at the end. See environment.c. */
#ifndef PYINIT_ENVIRONMENT_H
#define PYINIT_ENVIRONMENT_H

#include <stdbool.h>
#include <sys/types.h>

/* What the payload's differs in from init's own; each a list of strings with NULL at the end. */
struct changes {
    char **unset;   /* names */
    char **own_pid; /* names whose value, where it is init's pid, is to be the payload's */
    char **assign;  /* NAME=value */
};

struct environment {
    char **variables;
    char **pid_texts; /* where the payload's pid is to be written, NULL at the end */
    char **owned;     /* what must be freed besides, NULL at the end; NULL if the variables are nobody's copy */
};

/* The value of the first variable of this name, or NULL. */
const char *pyinit_variable(char **variables, const char *name);
/* Whether there was memory enough. */
bool pyinit_environment_make(struct environment *environment, char **inherited, const struct changes *changes);
/* Makes no system call and allocates nothing: the payload's process does it before its exec. */
void pyinit_environment_write_pid(const struct environment *environment, pid_t pid);
void pyinit_environment_free(struct environment *environment);

#endif
