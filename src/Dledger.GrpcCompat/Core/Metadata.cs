using System.Collections;
using System.Text;

namespace Grpc.Core;

/// <summary>Headers or trailers of a call: an ordered list of entries, where a key may occur more than once.</summary>
/// <remarks>
/// Keys are lower case letters, digits, <c>_</c>, <c>-</c> and <c>.</c>; upper case is folded. Keys that end in
/// <c>-bin</c> carry bytes, all others printable ASCII text. Not safe for use by two threads at once.
/// </remarks>
public sealed class Metadata : IList<Metadata.Entry>
{
    /// <summary>The ending of every key whose value is bytes.</summary>
    public const string BinaryHeaderSuffix = "-bin";

    /// <summary>A frozen, empty list.</summary>
    public static readonly Metadata Empty = new Metadata().Freeze();

    private readonly List<Entry> _entries = [];
    private bool _readOnly;

    public int Count => _entries.Count;

    public bool IsReadOnly => _readOnly;

    public Entry this[int index]
    {
        get => _entries[index];
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            CheckWritable();
            _entries[index] = value;
        }
    }

    /// <summary>The last entry of that key, or null.</summary>
    public Entry? Get(string key)
    {
        for (var index = _entries.Count - 1; index >= 0; index--)
        {
            if (_entries[index].KeyEquals(key))
            {
                return _entries[index];
            }
        }

        return null;
    }

    /// <summary>The text of the last entry of that key, or null.</summary>
    public string? GetValue(string key)
    {
        return Get(key)?.Value;
    }

    /// <summary>The bytes of the last entry of that key, or null.</summary>
    public byte[]? GetValueBytes(string key)
    {
        return Get(key)?.ValueBytes;
    }

    public IEnumerable<Entry> GetAll(string key)
    {
        foreach (var entry in _entries)
        {
            if (entry.KeyEquals(key))
            {
                yield return entry;
            }
        }
    }

    public void Add(Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        CheckWritable();
        _entries.Add(item);
    }

    public void Add(string key, string value)
    {
        Add(new Entry(key, value));
    }

    public void Add(string key, byte[] valueBytes)
    {
        Add(new Entry(key, valueBytes));
    }

    public void Insert(int index, Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        CheckWritable();
        _entries.Insert(index, item);
    }

    public int IndexOf(Entry item)
    {
        return _entries.IndexOf(item);
    }

    public bool Contains(Entry item)
    {
        return _entries.Contains(item);
    }

    public void CopyTo(Entry[] array, int arrayIndex)
    {
        _entries.CopyTo(array, arrayIndex);
    }

    public bool Remove(Entry item)
    {
        CheckWritable();
        return _entries.Remove(item);
    }

    public void RemoveAt(int index)
    {
        CheckWritable();
        _entries.RemoveAt(index);
    }

    public void Clear()
    {
        CheckWritable();
        _entries.Clear();
    }

    public IEnumerator<Entry> GetEnumerator()
    {
        return _entries.GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator()
    {
        return GetEnumerator();
    }

    /// <summary>Forbids every later change.</summary>
    internal Metadata Freeze()
    {
        _readOnly = true;
        return this;
    }

    private void CheckWritable()
    {
        if (_readOnly)
        {
            throw new InvalidOperationException("The metadata are read-only.");
        }
    }

    /// <summary>One key with its value: text, or bytes when the key ends in <c>-bin</c>.</summary>
    public class Entry
    {
        private readonly string? _text;
        private readonly byte[]? _bytes;

        public Entry(string key, byte[] valueBytes)
        {
            Key = NormalizeKey(key);
            if (!IsBinary)
            {
                throw new ArgumentException(
                    $"Only a key that ends in \"-bin\" may carry bytes; \"{key}\" does not.", nameof(key));
            }

            ArgumentNullException.ThrowIfNull(valueBytes);
            _bytes = (byte[])valueBytes.Clone();
        }

        public Entry(string key, string value)
        {
            Key = NormalizeKey(key);
            if (IsBinary)
            {
                throw new ArgumentException($"The key \"{key}\" ends in \"-bin\" and must carry bytes.", nameof(key));
            }

            ArgumentNullException.ThrowIfNull(value);
            _text = value;
        }

        private Entry(string key, string? text, byte[]? bytes)
        {
            Key = key;
            _text = text;
            _bytes = bytes;
        }

        /// <summary>The key in lower case.</summary>
        public string Key { get; }

        /// <summary>A copy of the bytes; of a text entry its ASCII encoding.</summary>
        public byte[] ValueBytes => _bytes is null ? Encoding.ASCII.GetBytes(_text!) : (byte[])_bytes.Clone();

        /// <summary>The text; an entry that carries bytes throws <see cref="InvalidOperationException"/>.</summary>
        public string Value => _text ?? throw new InvalidOperationException($"\"{Key}\" carries bytes, not text.");

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase);

        public override string ToString()
        {
            return $"{Key}: {_text ?? Convert.ToHexStringLower(_bytes!)}";
        }

        /// <summary>
        /// An entry from the wire: the key was checked by the HTTP layer, and the bytes are not shared.
        /// </summary>
        internal static Entry FromWire(string key, string text)
        {
            return new Entry(key.ToLowerInvariant(), text, null);
        }

        /// <inheritdoc cref="FromWire(string, string)"/>
        internal static Entry FromWire(string key, byte[] bytes)
        {
            return new Entry(key.ToLowerInvariant(), null, bytes);
        }

        internal bool KeyEquals(string key)
        {
            return string.Equals(Key, key, StringComparison.OrdinalIgnoreCase);
        }

        internal ReadOnlySpan<byte> GetBytesSpan()
        {
            return _bytes;
        }

        private static string NormalizeKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            var lower = key.ToLowerInvariant();
            if (lower.Length == 0)
            {
                throw new ArgumentException("A metadata key has at least one character.", nameof(key));
            }

            foreach (var character in lower)
            {
                if (!char.IsAsciiLetterLower(character)
                    && !char.IsAsciiDigit(character)
                    && character is not ('_' or '-' or '.'))
                {
                    throw new ArgumentException(
                        $"The metadata key \"{key}\" has a character other than letters, digits, '_', '-' and '.'.",
                        nameof(key));
                }
            }

            return lower;
        }
    }
}
