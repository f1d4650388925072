/*
 * crypt/fernet.h - Fernet tokens: a message, encrypted and signed, as text.
 *
 * A token is base64url of: 0x80, 8 bytes of seconds since 1970, a random IV, AES-128-CBC of the message with PKCS#7
 * padding, and HMAC-SHA256 over all of these (github.com/fernet/spec).  It is written as it streams by, in memory that
 * does not grow; but it can only be read whole, since what says that it is genuine stands at its end.
 *
 * What is wrong with a token or key comes back as text, lent until the next call, for whoever holds the key: it
 * tells what the text of the token shows anyway, or else only what the MAC has vouched for.  It holds nothing of a key
 * or message.  Keys and messages are wiped from memory that is given back.  No memory dies EX_OSERR.
 */
#ifndef FERNET_H
#define FERNET_H

#include <stdint.h>

#include "base/buf.h"

#define FERNET_IV 16            /* bytes */
#define FERNET_KEY_RAW 32       /* bytes, as random as can be */
#define FERNET_KEY_TEXT 44      /* characters, the last of them '=' */
#define FERNET_SKEW 60          /* seconds that a token may be from the future */
#define FERNET_NO_TTL (-1.0)

struct fernet_key { unsigned char sign[16], encrypt[16]; };

/* NULL, or what is wrong. */
const char *fernet_key_parse(struct fernet_key *, struct str text);
void fernet_key_text(char to[FERNET_KEY_TEXT + 1], const unsigned char raw[FERNET_KEY_RAW]);
void fernet_random(unsigned char *to, size_t n);        /* for keys and IVs: 256 bytes at most */
void fernet_wipe(void *, size_t n);

/* A token in the making.  What has been appended before the end comes in whole 64 characters: these are never the length
 * of a token, so that one whose maker died does not even look complete. */
struct fernet_seal;
struct fernet_seal *fernet_seal_open(const struct fernet_key *, uint64_t made, const unsigned char iv[FERNET_IV]);
void fernet_seal_add(struct fernet_seal *, struct str message, struct buf *token);
void fernet_seal_close(struct fernet_seal *, struct buf *token);

/* A token to be read: all of its text is added, then it is checked, and only then is there a message. */
struct fernet_token;
struct fernet_token *fernet_token_open(const struct fernet_key *, size_t n);    /* the keys are lent; n >= 1 */
/* Takes three bytes of memory for four characters, plus at most a quarter of that not touched.  White space around the
 * token is skipped.  NULL, or what is wrong. */
const char *fernet_token_add(struct fernet_token *, struct str text);
/* The text has ended.  ttl in seconds, or FERNET_NO_TTL, for which neither age nor future matters. */
const char *fernet_token_check(struct fernet_token *, double ttl, uint64_t now);
/* After that: */
uint64_t fernet_token_made(const struct fernet_token *);        /* seconds since 1970 */
size_t fernet_token_key(const struct fernet_token *);           /* which key fits: 0 is the first */
struct str fernet_token_next(struct fernet_token *);            /* a piece of the message; of 0 bytes at its end */
void fernet_token_close(struct fernet_token *);

#endif
