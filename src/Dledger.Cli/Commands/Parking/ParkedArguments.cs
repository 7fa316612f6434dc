using System.CommandLine;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Parking;

/// <summary>Which parked messages are meant, as it is written on the command line.</summary>
internal sealed class ParkedArguments
{
    private readonly Argument<string> _group = new("group") { Description = "The consumer group." };
    private readonly Option<string?> _topic = new("--topic") { Description = "Only messages of this topic." };
    private readonly Option<int?> _queue = new("--queue") { Description = "Only messages of this queue." };
    private readonly Option<long?> _offset = new("--offset")
    {
        Description = "Only the message with this queue offset; needs --topic and --queue.",
    };

    private readonly Option<string?> _messageGroup = new("--message-group")
    {
        Description = "Only messages of this message group.",
    };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_group);
        command.Options.Add(_topic);
        command.Options.Add(_queue);
        command.Options.Add(_offset);
        command.Options.Add(_messageGroup);
    }

    public ParkedSelector Read(ParseResult result) => new(result.GetValue(_group)!)
    {
        Topic = result.GetValue(_topic),
        QueueId = result.GetValue(_queue),
        Offset = result.GetValue(_offset),
        MessageGroup = result.GetValue(_messageGroup),
    };
}
