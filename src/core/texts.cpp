// SPDX-License-Identifier: MIT
#include "texts_p.h"

#include "command_p.h"
#include "processresult_p.h"

namespace ProcessKit {

namespace {

// The end of the control string that begins at \a at: behind ST (ESC \) or, where it counts, BEL.
qsizetype endOfControlString(QStringView text, qsizetype at, bool bellEnds)
{
    for (; at < text.size(); ++at) {
        if (bellEnds && text[at] == u'\a')
            return at + 1;
        if (text[at] == u'\u009c')
            return at + 1;
        if (text[at] == u'\x1b' && at + 1 < text.size() && text[at + 1] == u'\\')
            return at + 2;
    }
    return at;
}

// behind the parameters, the intermediates and the final byte
qsizetype endOfControlSequence(QStringView text, qsizetype at)
{
    while (at < text.size() && text[at] >= u'\x20' && text[at] <= u'\x3f')
        ++at;
    return at < text.size() && text[at] >= u'\x40' && text[at] <= u'\x7e' ? at + 1 : at;
}

qsizetype endOfEscape(QStringView text, qsizetype at)
{
    if (at >= text.size())
        return at;
    switch (text[at].unicode()) {
    case u'[':
        return endOfControlSequence(text, at + 1);
    case u']':
        return endOfControlString(text, at + 1, true);
    case u'P':
    case u'X':
    case u'^':
    case u'_':
        return endOfControlString(text, at + 1, false);
    default:
        while (at < text.size() && text[at] >= u'\x20' && text[at] <= u'\x2f')
            ++at;
        return at < text.size() && text[at] >= u'\x30' && text[at] <= u'\x7e' ? at + 1 : at;
    }
}

} // namespace

QString withoutEscapeSequences(const QString &text)
{
    QString plain;
    plain.reserve(text.size());
    for (qsizetype at = 0; at < text.size();) {
        const char16_t c = text[at].unicode();
        if (c == u'\x1b')
            at = endOfEscape(text, at + 1);
        else if (c == u'\u009b')
            at = endOfControlSequence(text, at + 1);
        else if (c == u'\u009d')
            at = endOfControlString(text, at + 1, true);
        else if (c == u'\u0090' || c == u'\u0098' || c == u'\u009e' || c == u'\u009f')
            at = endOfControlString(text, at + 1, false);
        else if ((c < u' ' && c != u'\t' && c != u'\n' && c != u'\r') || (c >= 0x7f && c < 0xa0))
            ++at;
        else
            plain += text[at++];
    }
    return plain;
}

QString withTextPolicies(const CommandData &command, QString line)
{
    if (command.removesEscapeSequences)
        line = withoutEscapeSequences(line);
    if (command.redaction)
        line = command.redaction(line);
    return line.isNull() ? QStringLiteral("") : line; // it is there, and empty
}

// A line may have its own ideas of the order of things, so what both streams make together is put
// together anew from their parts.
void applyTextPolicies(const CommandData &command, ProcessResultData *result)
{
    for (QByteArray &bytes : result->bytes) {
        QString text = result->decoded(bytes);
        if (command.removesEscapeSequences)
            text = withoutEscapeSequences(text);
        if (command.redaction) {
            QStringList lines = text.split(u'\n');
            for (QString &line : lines) {
                if (&line != &lines.last() || !line.isEmpty())
                    line = command.redaction(line);
            }
            text = lines.join(u'\n');
        }
        bytes = text.toUtf8();
    }
    result->encoding = QStringConverter::Utf8;
    result->decoder = nullptr;
    result->order.clear();
}

} // namespace ProcessKit
