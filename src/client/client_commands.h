/* The commands of clients, which the program quire-service carries out as well. argv[0] is the
 * command's name; they return the exit status (docs/cli.md). */
#ifndef QI_CLIENT_COMMANDS_H
#define QI_CLIENT_COMMANDS_H

int qi_client_submit(int argc, char **argv);
int qi_client_ingest(int argc, char **argv);

#endif
