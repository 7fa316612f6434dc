using System.Globalization;

namespace Dledger.Storage.Queues;

/// <summary>One file of a queue, by its number in the queue.</summary>
internal readonly record struct QueueFileKey(int TopicId, int QueueId, long FileNumber)
{
    /// <summary>
    /// Where the file lies below the store's directory: topic, queue, first queue offset in 20 digits.
    /// </summary>
    public string PathIn(string directory, int entriesPerFile) =>
        $"{DirectoryOf(directory, TopicId, QueueId)}/{FileName(FileNumber * entriesPerFile)}";

    /// <summary>The directory of a queue.</summary>
    public static string DirectoryOf(string directory, int topicId, int queueId) =>
        string.Create(CultureInfo.InvariantCulture, $"{directory}/{topicId}/{queueId}");

    /// <summary>The name of the file whose first entry has a queue offset.</summary>
    public static string FileName(long firstOffset) => firstOffset.ToString("D20", CultureInfo.InvariantCulture);
}
