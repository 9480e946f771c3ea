// SPDX-License-Identifier: MIT
#include "command_p.h"

namespace ProcessKit {

StdinSource::StdinSource() = default;
StdinSource::StdinSource(StdinSourceData *data) : d(data) { }
StdinSource::StdinSource(const StdinSource &other) = default;
StdinSource::StdinSource(StdinSource &&other) noexcept = default;
StdinSource &StdinSource::operator=(const StdinSource &other) = default;
StdinSource &StdinSource::operator=(StdinSource &&other) noexcept = default;
StdinSource::~StdinSource() = default;

namespace {

StdinSourceData *ofKind(StdinSource::Kind kind)
{
    auto *data = new StdinSourceData;
    data->kind = kind;
    return data;
}

} // namespace

StdinSource StdinSource::nothing()
{
    return {};
}

StdinSource StdinSource::text(const QString &text)
{
    return bytes(text.toUtf8());
}

StdinSource StdinSource::bytes(const QByteArray &bytes)
{
    StdinSource source(ofKind(Kind::Bytes));
    source.d->bytes = bytes;
    return source;
}

StdinSource StdinSource::lines(const QStringList &lines)
{
    return lines.isEmpty() ? bytes({}) : text(lines.join(u'\n') + u'\n');
}

StdinSource StdinSource::file(const QString &fileName)
{
    StdinSource source(ofKind(Kind::File));
    source.d->fileName = fileName;
    return source;
}

StdinSource StdinSource::device(std::unique_ptr<QIODevice> device)
{
    constexpr qint64 piece = 64 * 1024;
    const bool isSequential = device && device->isSequential();
    StdinSource source = generator([device = std::shared_ptr<QIODevice>(std::move(device))] {
        return device && device->isReadable() ? device->read(piece) : QByteArray();
    });
    source.d->isSequential = isSequential;
    return source;
}

StdinSource StdinSource::generator(Generator generator)
{
    StdinSource source(ofKind(Kind::Generator));
    source.d->generator = std::move(generator);
    source.d->onlyOnce = std::make_shared<StdinSourceData::OnlyOnce>();
    return source;
}

StdinSource StdinSource::inherited()
{
    return StdinSource(ofKind(Kind::Inherited));
}

StdinSource StdinSource::keptOpen()
{
    return StdinSource(ofKind(Kind::KeptOpen));
}

StdinSource::Kind StdinSource::kind() const noexcept
{
    return d ? d->kind : Kind::Nothing;
}

bool StdinSource::isOneShot() const noexcept
{
    return kind() == Kind::Generator;
}

} // namespace ProcessKit
