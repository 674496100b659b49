/* Environments as execve(2) takes them: lists of NAME=value with NULL at the end. See environment.c. */
#ifndef PYINIT_ENVIRONMENT_H
#define PYINIT_ENVIRONMENT_H

#include <stdbool.h>
#include <sys/types.h>

/* How the payload's environment differs from init's: lists of strings with NULL at the end. */
struct changes {
    char **unset;   /* names */
    char **own_pid; /* names whose value, where it is init's pid, is to be the payload's */
    char **assign;  /* NAME=value */
};

struct environment {
    char **variables;
    char **pid_texts; /* where the payload's pid is to be written, NULL at the end */
    char **owned;     /* what else to free, NULL at the end; NULL if the variables are no copy */
};

/* Return the value of the first variable of this name, or NULL. */
const char *pyinit_variable(char **variables, const char *name);
/* Return false if there is not enough memory. */
bool pyinit_environment_make(struct environment *environment, char **inherited, const struct changes *changes);
/* The payload's process calls this before its exec: it makes no system call and allocates nothing. */
void pyinit_environment_write_pid(const struct environment *environment, pid_t pid);
void pyinit_environment_free(struct environment *environment);

#endif
