<?php
/**
 * The records: one table, one row for each comment that Hamlet was or will be told of. It holds nothing of the author, except in `request`
 * while the comment waits to be sent. A row outlives its comment, so that an emptied spam folder does not spoil the comparison.
 */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const TABLE_VERSION = '1';

function table(): string {
	global $wpdb;
	return $wpdb->prefix . 'hamlet_comments';
}

function create_table(): void {
	global $wpdb;
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	dbDelta(
		'CREATE TABLE ' . table() . " (
			comment_id bigint(20) unsigned NOT NULL,
			sent_at datetime NOT NULL,
			hamlet_id varchar(36) NOT NULL DEFAULT '',
			verdict varchar(10) NOT NULL DEFAULT '',
			score double NULL,
			beside varchar(10) NOT NULL DEFAULT '',
			akismet varchar(5) NOT NULL DEFAULT '',
			person varchar(10) NOT NULL DEFAULT '',
			person_name varchar(80) NOT NULL DEFAULT '',
			person_told tinyint(1) NOT NULL DEFAULT 1,
			idempotency_key varchar(36) NOT NULL DEFAULT '',
			request longtext NULL,
			error varchar(255) NOT NULL DEFAULT '',
			PRIMARY KEY  (comment_id),
			KEY hamlet_id (hamlet_id),
			KEY sent_at (sent_at)
		) " . $wpdb->get_charset_collate()
	);
	update_option( 'hamlet_table', TABLE_VERSION );
}

add_action(
	'plugins_loaded',
	static function (): void {
		if ( TABLE_VERSION !== get_option( 'hamlet_table' ) ) {
			create_table();
		}
	}
);

function add_record( int $comment_id, array $record ): void {
	global $wpdb;
	$wpdb->replace( table(), $record + array( 'comment_id' => $comment_id, 'sent_at' => current_time( 'mysql', true ) ) );
}

function change_record( int $comment_id, array $changes ): void {
	global $wpdb;
	$wpdb->update( table(), $changes, array( 'comment_id' => $comment_id ) );
}

function record( int $comment_id ): ?object {
	global $wpdb;
	return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . table() . ' WHERE comment_id = %d', $comment_id ) );
}

function record_of( string $hamlet_id ): ?object {
	global $wpdb;
	return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . table() . ' WHERE hamlet_id = %s', $hamlet_id ) );
}

/** What Hamlet said, as columns. */
function said( array $document ): array {
	return array(
		'hamlet_id' => substr( (string) ( $document['id'] ?? '' ), 0, 36 ),
		'verdict'   => substr( (string) ( $document['verdict'] ?? '' ), 0, 10 ),
		'score'     => isset( $document['score'] ) ? (float) $document['score'] : null,
		'request'   => null,
		'error'     => '',
	);
}

/** Rows with a comment or a ruling that Hamlet has not taken yet, oldest first. */
function waiting( int $limit ): array {
	global $wpdb;
	$sql = 'SELECT * FROM ' . table() . ' WHERE request IS NOT NULL OR (person_told = 0 AND hamlet_id <> \'\') ORDER BY sent_at, comment_id LIMIT %d';
	return $wpdb->get_results( $wpdb->prepare( $sql, $limit ) );
}

function count_waiting(): int {
	global $wpdb;
	return (int) $wpdb->get_var( 'SELECT count(*) FROM ' . table() . ' WHERE request IS NOT NULL' );
}
