/*
 * mds/auth.h - who we are for an MDS provider: the headers of each request, and the token that
 * some have to be asked for.
 *
 * A token is asked for when it is first needed, by a form that goes to the token's URL and nowhere else.  One that a page came
 * for and that is refused later has ended, and is asked for anew; one that never worked is not.
 */
#ifndef MDS_AUTH_H
#define MDS_AUTH_H

#include "mds/provider.h"
#include "net/http.h"

struct mds_auth;

struct mds_auth *mds_auth_open(struct http *, const struct mds_provider *);
/* Fills secrets, user, password and credential of the request; lent until the next renewal.  May ask for a token, and dies
 * where there is none. */
void mds_auth_put(struct mds_auth *, struct http_request *);
/* The credentials were good for a page. */
void mds_auth_worked(struct mds_auth *);
/* They were refused: true where another try may get past it. */
bool mds_auth_renew(struct mds_auth *);
/* What to look at where they are refused for good. */
const char *mds_auth_advice(const struct mds_auth *);
void mds_auth_close(struct mds_auth *);

#endif
