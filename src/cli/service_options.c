/* Tables of the service's commands; see service_options.h. */
#include "cli/service_options.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/reading_options.h"

static bool parse_attempts(const char *text, void *field) {
    return qi_take_whole(text, 1, 100, field);
}

static bool parse_connections(const char *text, void *field) {
    return qi_take_whole(text, 1, 100000, field);
}

static bool parse_image_px(const char *text, void *field) {
    return qi_take_whole(text, 16, 16383, field);
}

static bool parse_price(const char *text, void *field) {
    return qi_take_decimal(text, 0, 1e6, field);
}

static const char *log_choice(size_t i) {
    static const char *const names[] = {"text", "json"};
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static bool parse_log(const char *text, void *field) {
    const bool json = !strcmp(text, log_choice(1));
    if (!json && strcmp(text, log_choice(0)) != 0) return false;
    *(bool *)field = json;
    return true;
}

void qi_serve_values_init(qi_serve_values *v) {
    *v = (qi_serve_values){
        .data = "quire-data",
        .listen = "127.0.0.1:8080",
        .max_upload_bytes = UINT64_C(256) << 20,
        .max_queued = 1000000,
        .max_queued_bytes = UINT64_C(20) << 30,
        .min_free_bytes = UINT64_C(1) << 30,
        .reuse_bytes = UINT64_C(1) << 30,
        .max_attempts = 5,
        .max_connections = 1024,
        .reuse_ms = 24 * 3600 * 1000,
        .drain_ms = 30 * 1000,
        .image_max_px = 1800,
    };
    quire_options_init(&v->reader);
}

#define FIELD(name) offsetof(qi_serve_values, name)
static const qi_option serve_options[] = {
    {"data", 'd', "DIR", FIELD(data), qi_parse_string, "the name of a folder",
     "keep documents and results below DIR", "quire-data", .kind = QI_VALUE_FOLDER},
    {"listen", 0, "LIST", FIELD(listen), qi_parse_string, "addresses such as 127.0.0.1:8080",
     "addresses with their ports; others than this machine's need a key", "127.0.0.1:8080",
     .separator = ','},
    {"tls-cert", 0, "FILE", FIELD(certificate), qi_parse_string, "the name of a file",
     "serve HTTPS with this certificate (PEM)", .kind = QI_VALUE_FILE},
    {"tls-key", 0, "FILE", FIELD(key), qi_parse_string, "the name of a file",
     "the certificate's key (PEM)", .kind = QI_VALUE_FILE},
    {"language", 'l', "LIST", FIELD(reader.languages), qi_parse_string, "a list such as eng+deu",
     "languages of the text, such as eng+deu", "eng", NULL, '+', QI_VALUE_LANGUAGE},
    {"text-layer", 0, "USE", FIELD(reader.text_layer), qi_parse_text_layer, NULL,
     "use of the text that PDF pages hold", "auto", qi_text_layer_choice},
    {"page-images", 0, NULL, FIELD(page_images), qi_parse_flag, "yes or no",
     "store an image of each page (WebP, grey), which takes as long as reading it or more"},
    {"image-px", 0, "N", FIELD(image_max_px), parse_image_px, "a number from 16 to 16383",
     "largest side of these images", "1800"},
    {"strict", 0, NULL, FIELD(reader.strict), qi_parse_flag, "yes or no",
     "a page that fails makes its document fail"},
    {"jobs", 0, "N", FIELD(reader.jobs), qi_parse_jobs, "a number from 1 to 512",
     "threads that compute", "the cores this process may use"},
    {"memory", 0, "BYTES", FIELD(reader.memory_bytes), qi_parse_bytes,
     "a number of bytes such as 400m or 2g", "memory for reading", "400m"},
    {"timeout", 0, "SECONDS", FIELD(reader.timeout_ms), qi_parse_seconds,
     "a time such as 90, 1.5s, 2m or 1h", "for opening a document, and for each page", "180"},
    {"max-pixels", 0, "N", FIELD(reader.max_pixels), qi_parse_count, "a number such as 200m",
     "largest page", "200m"},
    {"max-upload", 0, "BYTES", FIELD(max_upload_bytes), qi_parse_bytes,
     "a number of bytes such as 256m", "largest request", "256m"},
    {"max-queued", 0, "N", FIELD(max_queued), qi_parse_count, "a number such as 1m",
     "documents that wait at most; more are refused for now (429)", "1m"},
    {"max-queued-bytes", 0, "BYTES", FIELD(max_queued_bytes), qi_parse_bytes,
     "a number of bytes such as 20g", "the same of their bytes", "20g"},
    {"min-free", 0, "BYTES", FIELD(min_free_bytes), qi_parse_bytes, "a number of bytes such as 1g",
     "with less room on the disk nothing is accepted", "1g"},
    {"max-connections", 0, "N", FIELD(max_connections), parse_connections,
     "a number from 1 to 100000", "connections at a time", "1024"},
    {"attempts", 0, "N", FIELD(max_attempts), parse_attempts, "a number from 1 to 100",
     "how often a document is tried where failure may pass", "5"},
    {"keep", 0, "SECONDS", FIELD(keep_ms), qi_parse_seconds, "a time such as 24h",
     "erase documents that long after their end", "for ever"},
    {"reuse", 0, "SECONDS", FIELD(reuse_ms), qi_parse_seconds, "a time such as 24h",
     "answer with a result of the same document and options that is no older", "24h"},
    {"reuse-bytes", 0, "BYTES", FIELD(reuse_bytes), qi_parse_bytes, "a number of bytes such as 1g",
     "results that may be reused, together", "1g"},
    {"anew", 0, NULL, FIELD(reader.anew), qi_parse_flag, "yes or no",
     "read documents, pages and lines again that were read before, for measuring"},
    {"drain", 0, "SECONDS", FIELD(drain_ms), qi_parse_seconds, "a time such as 30",
     "when told to stop, time for what is being read; the rest goes on at the next start", "30"},
    {"core-hour-price", 0, "PRICE", FIELD(core_hour_price), parse_price,
     "a price such as 0.04, in any currency",
     "what an hour of a core costs, for the cost of 1,000 pages in metrics"},
    {"log", 0, "KIND", FIELD(log_json), parse_log, NULL, "lines of the log on stderr", "text",
     log_choice},
};
#undef FIELD

static const qi_example serve_examples[] = {
    {"quire serve --data /srv/quire", "an HTTP service on port 8080 of this machine"},
    {"quire serve --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem",
     "one for others too, who need a key: quire keys"},
};

const qi_option_table qi_serve_options = {
    "serve",
    "serve documents over HTTP, from a durable queue",
    "quire serve [options]",
    "Accepts documents over HTTP, keeps them in a queue on disk until they are read, and\n"
    "gives results out. Nothing that was accepted is lost when it is stopped or killed.\n",
    serve_options,
    sizeof serve_options / sizeof *serve_options,
    .examples = serve_examples,
    .n_examples = sizeof serve_examples / sizeof *serve_examples,
};

#define FIELD(name) offsetof(qi_keys_values, name)
static const qi_option keys_options[] = {
    {"data", 'd', "DIR", FIELD(data), qi_parse_string, "the name of a folder",
     "the service's data folder", "quire-data", .kind = QI_VALUE_FOLDER},
    {"tenant", 0, "NAME", FIELD(tenant), qi_parse_string, "a name",
     "whose documents the key is for", "default"},
    {"scopes", 0, "LIST", FIELD(scopes), qi_parse_string, "a list such as read,write",
     "what it may do: read, write, admin (which sees all tenants)", "read,write", .separator = ','},
};
#undef FIELD

static const qi_example keys_examples[] = {
    {"quire keys add --data /srv/quire scanner-3", "prints a new key, and nothing else"},
    {"quire keys list --data /srv/quire", "names, tenants and scopes of keys"},
    {"quire keys revoke --data /srv/quire scanner-3", "the key opens nothing any more"},
};

const qi_option_table qi_keys_options = {
    "keys",
    "add, list and revoke keys of a service",
    "quire keys add|list|revoke [options] [NAME]",
    "Keys of those who may use a service. They are kept as hashes: a new one is shown once.\n"
    "The service may run meanwhile.\n",
    keys_options,
    sizeof keys_options / sizeof *keys_options,
    .examples = keys_examples,
    .n_examples = sizeof keys_examples / sizeof *keys_examples,
};

#define FIELD(name) offsetof(qi_backup_values, name)
static const qi_option backup_options[] = {
    {"data", 'd', "DIR", FIELD(data), qi_parse_string, "the name of a folder",
     "the service's data folder", "quire-data", .kind = QI_VALUE_FOLDER},
};
#undef FIELD

static const qi_example backup_examples[] = {
    {"quire backup --data /srv/quire /backup/quire-monday", "a copy, to be served as it is"},
};

const qi_option_table qi_backup_options = {
    "backup",
    "copy a service's data folder while it runs",
    "quire backup [options] DIR",
    "Copies the records as they are at one moment, and the objects they name, into DIR, which\n"
    "must not exist. quire serve --data DIR serves the copy.\n",
    backup_options,
    sizeof backup_options / sizeof *backup_options,
    .operands = QI_VALUE_FOLDER,
    .examples = backup_examples,
    .n_examples = sizeof backup_examples / sizeof *backup_examples,
};
