// SPDX-License-Identifier: MIT
#include <ProcessKit/processerror.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdebug.h>

namespace ProcessKit {

class ProcessErrorData : public QSharedData
{
public:
    ProcessError::Kind kind = ProcessError::Kind::None;
    QString program;
    QString operation;
    int nativeCode = 0;
    QString detail;
    QStringList searchedDirectories;
};

namespace {

// one line, of bounded length, that a terminal can be shown
QString tamed(QString text)
{
    constexpr qsizetype longest = 200;
    if (text.size() > longest)
        text = text.left(longest) + u'\u2026';
    for (QChar &c : text) {
        const bool harmless = c == u'\t' || c.isPrint() || c.isSurrogate();
        if (!harmless || c.category() == QChar::Other_Format)
            c = QChar::ReplacementCharacter;
    }
    return text;
}

} // namespace

ProcessError::ProcessError() = default;

ProcessError::ProcessError(Kind kind, const QString &program, const QString &operation,
                           int nativeCode, const QString &detail,
                           const QStringList &searchedDirectories)
    : d(new ProcessErrorData)
{
    d->kind = kind;
    d->program = program;
    d->operation = operation;
    d->nativeCode = nativeCode;
    d->detail = detail;
    d->searchedDirectories = searchedDirectories;
}

ProcessError::ProcessError(const ProcessError &other) = default;
ProcessError::ProcessError(ProcessError &&other) noexcept = default;
ProcessError &ProcessError::operator=(const ProcessError &other) = default;
ProcessError &ProcessError::operator=(ProcessError &&other) noexcept = default;
ProcessError::~ProcessError() = default;

ProcessError::Kind ProcessError::kind() const noexcept
{
    return d ? d->kind : Kind::None;
}

QString ProcessError::program() const
{
    return d ? d->program : QString();
}

QString ProcessError::operation() const
{
    return d ? d->operation : QString();
}

int ProcessError::nativeCode() const noexcept
{
    return d ? d->nativeCode : 0;
}

QStringList ProcessError::searchedDirectories() const
{
    return d ? d->searchedDirectories : QStringList();
}

QString ProcessError::text() const
{
    if (!d || d->kind == Kind::None)
        return {};
    QString text = d->operation;
    if (d->nativeCode)
        text += QLatin1String(": ") + qt_error_string(d->nativeCode);
    if (!d->searchedDirectories.isEmpty())
        text += QCoreApplication::translate("ProcessKit::ProcessError", " (searched %n directories)",
                                            nullptr, int(d->searchedDirectories.size()));
    return tamed(text);
}

QString ProcessError::diagnostic() const
{
    if (!d || d->kind == Kind::None)
        return {};
    QString diagnostic = d->program + QLatin1String(": ") + d->operation;
    if (d->nativeCode)
        diagnostic += QLatin1String(": ") + qt_error_string(d->nativeCode);
    if (!d->detail.isEmpty())
        diagnostic += QLatin1String(": ") + d->detail;
    if (!d->searchedDirectories.isEmpty())
        diagnostic += QCoreApplication::translate("ProcessKit::ProcessError", "; searched in ")
                + d->searchedDirectories.join(u':');
    return diagnostic;
}

bool operator==(const ProcessError &a, const ProcessError &b) noexcept
{
    if (a.d == b.d)
        return true;
    return a.kind() == b.kind() && a.nativeCode() == b.nativeCode() && a.program() == b.program()
            && a.operation() == b.operation() && a.searchedDirectories() == b.searchedDirectories()
            && a.diagnostic() == b.diagnostic();
}

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const ProcessError &error)
{
    // neither the program nor what was searched: paths tell about users
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ProcessError(" << error.kind() << ", " << error.text() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
