/* csvstat: statistics of a CSV file's columns, as JSON. A plain program: it knows nothing of edge,
 * reads standard input, writes standard output, and runs in a shell as well as behind HTTP.
 *
 *     curl --data-binary @sales.csv localhost:8080/csvstat
 *     curl --data-binary @export.csv 'localhost:8080/csvstat?delimiter=;&header=no'
 *
 * The request is told as CGI tells it (RFC 3875), in REQUEST_METHOD, QUERY_STRING and CONTENT_TYPE;
 * with a method the answer begins with a header, without one it is the bare JSON. Rows follow RFC
 * 4180: quoted fields may hold delimiters and line breaks.
 */
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 1024, FIELD_BYTES_MAX = 4096, NAME_BYTES_MAX = 256 };

/* Mean and variance are kept by Welford's method: one pass, and no cancellation. */
struct column {
    char name[NAME_BYTES_MAX];
    uint64_t values, missing, numbers;
    double min, max, mean, squares;
    uint32_t longest_bytes;
};

struct table {
    struct column *columns;
    uint32_t columns_count;
    uint64_t rows, ragged_rows;
};

struct options {
    char delimiter;
    bool header;
};

/* ---- reading ---- */

/* A field as it is read; what is beyond its room is dropped, its length goes on counting. */
struct field {
    char text[FIELD_BYTES_MAX + 1];
    uint32_t len;
};

enum ending { END_FIELD, END_ROW, END_INPUT };

static void field_add(struct field *field, int c) {
    if (field->len < FIELD_BYTES_MAX) field->text[field->len] = (char)c;
    field->len++;
}

/* Reads up to the next delimiter, line break or the end. Only at a field's start opens a quote. */
static enum ending read_field(struct field *field, char delimiter) {
    bool quoted = false, at_start = true;
    field->len = 0;
    for (int c; (c = getchar()) != EOF; at_start = false) {
        if (c == '"' && (quoted || at_start)) {
            int next = quoted ? getchar() : '"';
            if (!quoted) quoted = true;
            else if (next == '"') field_add(field, '"');
            else {
                quoted = false;
                ungetc(next, stdin);
            }
        } else if (quoted) {
            field_add(field, c);
        } else if (c == delimiter) {
            return END_FIELD;
        } else if (c == '\n') {
            return END_ROW;
        } else if (c != '\r') {
            field_add(field, c);
        }
    }
    return END_INPUT;
}

/* Reads a decimal number that fills the field but for spaces. Not "nan" and not "0x1": in a table
 * those are words. */
static bool parse_number(const char *text, double *number) {
    const char *start = text + strspn(text, " \t");
    if (!*start || start[strspn(start, "0123456789+-.eE \t")]) return false;
    char *end;
    *number = strtod(start, &end);
    return end > start && end[strspn(end, " \t")] == '\0' && isfinite(*number);
}

static void add_value(struct column *column, const struct field *field) {
    if (field->len == 0) {
        column->missing++;
        return;
    }
    column->values++;
    if (field->len > column->longest_bytes) column->longest_bytes = field->len;
    double number;
    if (!parse_number(field->text, &number)) return;
    double delta = number - column->mean;
    column->numbers++;
    column->mean += delta / (double)column->numbers;
    column->squares += delta * (number - column->mean);
    if (column->numbers == 1 || number < column->min) column->min = number;
    if (column->numbers == 1 || number > column->max) column->max = number;
}

static struct column *column_at(struct table *table, uint32_t index) {
    while (table->columns_count <= index) {
        struct column *added = &table->columns[table->columns_count++];
        snprintf(added->name, sizeof added->name, "column%u", (unsigned)table->columns_count);
    }
    return &table->columns[index];
}

/* Reads one row; false at the end of the input. Fields beyond COLUMNS_MAX are read and dropped. */
static bool read_row(struct table *table, const struct options *options, bool is_header) {
    static struct field field;
    uint32_t columns_before = table->columns_count, index = 0;
    enum ending ending;
    do {
        ending = read_field(&field, options->delimiter);
        if (index == 0 && ending != END_FIELD && field.len == 0) return ending != END_INPUT;
        field.text[field.len < FIELD_BYTES_MAX ? field.len : FIELD_BYTES_MAX] = '\0';
        if (index < COLUMNS_MAX) {
            struct column *column = column_at(table, index);
            if (!is_header) add_value(column, &field);
            else if (field.len) snprintf(column->name, sizeof column->name, "%s", field.text);
        }
        index++;
    } while (ending == END_FIELD);
    if (is_header) return ending != END_INPUT;
    if (table->rows++ > 0 || options->header) table->ragged_rows += index != columns_before;
    return ending != END_INPUT;
}

/* ---- writing ---- */

/* A JSON string. Bytes that are not UTF-8 are taken for Latin-1, which old spreadsheets write. */
static void print_string(const char *text) {
    putchar('"');
    for (int size; *text; text += size) {
        unsigned char c = (unsigned char)*text;
        size = mblen(text, MB_LEN_MAX);
        bool is_utf8 = size > 0;
        if (!is_utf8) size = 1;
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 0x20 || !is_utf8) printf("\\u%04x", c);
        else fwrite(text, 1, (size_t)size, stdout);
    }
    putchar('"');
}

static void print_column(const struct column *column) {
    bool numeric = column->numbers > 0 && column->numbers == column->values;
    printf("    {\"name\": ");
    print_string(column->name);
    printf(", \"type\": \"%s\", \"values\": %llu, \"missing\": %llu", numeric ? "number" : "text",
           (unsigned long long)column->values, (unsigned long long)column->missing);
    if (numeric) {
        double variance = column->numbers > 1 ? column->squares / (double)(column->numbers - 1) : 0;
        printf(", \"min\": %.15g, \"max\": %.15g, \"mean\": %.15g, \"deviation\": %.15g",
               column->min, column->max, column->mean, sqrt(variance));
    } else {
        printf(", \"longestBytes\": %u", (unsigned)column->longest_bytes);
    }
    putchar('}');
}

static void print_table(const struct table *table) {
    printf("{\"rows\": %llu, \"raggedRows\": %llu, \"columns\": [", (unsigned long long)table->rows,
           (unsigned long long)table->ragged_rows);
    for (uint32_t i = 0; i < table->columns_count; i++) {
        printf(i ? ",\n" : "\n");
        print_column(&table->columns[i]);
    }
    printf("\n]}\n");
}

/* ---- the request ---- */

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

/* A parameter's value in QUERY_STRING, up to the next '&'; NULL if there is none. */
static const char *parameter(const char *name) {
    size_t len = strlen(name);
    for (const char *at = variable("QUERY_STRING"); at && *at;) {
        if (strncmp(at, name, len) == 0 && at[len] == '=') return at + len + 1;
        at = strchr(at, '&');
        if (at) at++;
    }
    return NULL;
}

static struct options read_options(void) {
    struct options options = {.delimiter = ',', .header = true};
    const char *delimiter = parameter("delimiter"), *header = parameter("header");
    bool tabs = strncmp(variable("CONTENT_TYPE"), "text/tab-separated-values", 25) == 0;
    if (tabs || (delimiter && strncmp(delimiter, "tab", 3) == 0)) options.delimiter = '\t';
    else if (delimiter && strncasecmp(delimiter, "%3b", 3) == 0) options.delimiter = ';';
    else if (delimiter && strncasecmp(delimiter, "%7c", 3) == 0) options.delimiter = '|';
    else if (delimiter && *delimiter) options.delimiter = *delimiter;
    if (header && strncmp(header, "no", 2) == 0) options.header = false;
    return options;
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8"); /* for mblen */
    const char *method = variable("REQUEST_METHOD");
    if (*method && strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0) {
        printf("Status: 405\nContent-Type: text/plain\nAllow: POST, PUT\n\n"
               "POST a CSV file: curl --data-binary @file.csv URL\n");
        return 0;
    }
    struct options options = read_options();
    struct table table = {.columns = calloc(COLUMNS_MAX, sizeof(struct column))};
    if (!table.columns) {
        fprintf(stderr, "csvstat: no memory for %d columns\n", COLUMNS_MAX);
        return 1;
    }
    bool more = !options.header || read_row(&table, &options, true);
    while (more) more = read_row(&table, &options, false);
    if (*method) printf("Content-Type: application/json\n\n");
    print_table(&table);
    return 0;
}
