#ifndef DROVER_BASE_STR_H
#define DROVER_BASE_STR_H

/* A copy to be freed; NULL gives NULL.  Short memory ends the process. */
char *str_dup(const char *s);

/* Frees *at and puts a copy of `s` there, which may be *at itself. */
void str_replace(char **at, const char *s);

#endif
