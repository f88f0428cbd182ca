/* The commands of the program quire-service. argv[0] is the command's name; they return the exit
 * status (docs/cli.md). */
#ifndef QI_SERVE_COMMANDS_H
#define QI_SERVE_COMMANDS_H

int qi_serve_run(int argc, char **argv);
int qi_serve_keys(int argc, char **argv);
int qi_serve_backup(int argc, char **argv);

#endif
